"""What the worker processes of one gateway share: the places for calls, what was used once, and signs of life."""
