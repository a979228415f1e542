"""Operations that reduce dimensions, run along one, or arrange elements by their order."""
