// What every kernel of CuPy's includes, compiled once before the first of them.

#include "simt.h"

#include <cupy/complex.cuh>

#include <cupy/carray.cuh>

#include <cupy/atomics.cuh>
#include <cupy/float16.cuh>
#include <cupy/math_constants.h>
