"""What tests of several packages share: a broker, certificates, ports, waiting."""
