"""Products of vectors and matrices, factorizations, and what is solved with them."""
