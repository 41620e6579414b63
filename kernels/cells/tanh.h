/* tanh: docs/equations.md. */
enum { GATES = 1, STATES = 1, RESERVED = 0, UNIT_WEIGHTS = 0, INPUT_AND_RECURRENT_ADD = 1 };

DEVICE_FN void cell_forward(const real *zx, const real *zh, const real *previous, const real *unit,
                            real *s, real *keep) {
  s[0] = TANH(zx[0] + zh[0]);
}

DEVICE_FN void cell_backward(const real *keep, const real *previous, const real *s,
                             const real *unit, const real *ds, real *dzx, real *dzh,
                             real *dPrevious, real *dUnit) {
  dzx[0] = dzh[0] = ds[0] * (1.0f - s[0] * s[0]);
  dPrevious[0] = REAL(0.0f);
}
