"""Who answers from here: names, connections, handshakes; each asked within a time limit."""
