/* relu: docs/equations.md. NaN stays NaN, and lets its gradient pass. */
enum { GATES = 1, STATES = 1, RESERVED = 0, UNIT_WEIGHTS = 0, INPUT_AND_RECURRENT_ADD = 1 };

DEVICE_FN void cell_forward(const real *zx, const real *zh, const real *previous, const real *unit,
                            real *s, real *keep) {
  real z = zx[0] + zh[0];
  s[0] = z <= 0.0f ? REAL(0.0f) : z;
}

DEVICE_FN void cell_backward(const real *keep, const real *previous, const real *s,
                             const real *unit, const real *ds, real *dzx, real *dzh,
                             real *dPrevious, real *dUnit) {
  dzx[0] = dzh[0] = s[0] <= 0.0f ? REAL(0.0f) : ds[0];
  dPrevious[0] = REAL(0.0f);
}
