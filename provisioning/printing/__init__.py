"""Paper for people: the poster beside a terminal, the notice for workers, a person's extract."""
