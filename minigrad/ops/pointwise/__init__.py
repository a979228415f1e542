"""Operations on each element by itself; operands are broadcast together."""
