/* lstm: docs/equations.md. Gates i, f, g, o; states h, c; keeps the gates. */
enum { GATES = 4, STATES = 2, RESERVED = 4, UNIT_WEIGHTS = 0, INPUT_AND_RECURRENT_ADD = 1 };

DEVICE_FN void cell_forward(const real *zx, const real *zh, const real *previous, const real *unit,
                            real *s, real *keep) {
  real i = SIGMOID(zx[0] + zh[0]);
  real f = SIGMOID(zx[1] + zh[1]);
  real g = TANH(zx[2] + zh[2]);
  real o = SIGMOID(zx[3] + zh[3]);
  real c = f * previous[1] + i * g;
  s[0] = o * TANH(c);
  s[1] = c;
  keep[0] = i;
  keep[1] = f;
  keep[2] = g;
  keep[3] = o;
}

DEVICE_FN void cell_backward(const real *keep, const real *previous, const real *s,
                             const real *unit, const real *ds, real *dzx, real *dzh,
                             real *dPrevious, real *dUnit) {
  real i = keep[0], f = keep[1], g = keep[2], o = keep[3];
  real dh = ds[0];
  real tc = TANH(s[1]);
  real dc = ds[1] + dh * o * (1.0f - tc * tc);
  dzx[0] = dzh[0] = dc * g * i * (1.0f - i);
  dzx[1] = dzh[1] = dc * previous[1] * f * (1.0f - f);
  dzx[2] = dzh[2] = dc * i * (1.0f - g * g);
  dzx[3] = dzh[3] = dh * tc * o * (1.0f - o);
  dPrevious[0] = REAL(0.0f);
  dPrevious[1] = dc * f;
}
