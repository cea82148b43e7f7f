"""The engine: scores every track under every condition, computing each embedding once."""
