"""Reading and writing elements by index: each operation stands next to its adjoint."""
