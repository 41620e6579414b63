/* gru: docs/equations.md. Gates r, z, n; keeps r, z, n and q. */
enum { GATES = 3, STATES = 1, RESERVED = 4, UNIT_WEIGHTS = 0, INPUT_AND_RECURRENT_ADD = 0 };

DEVICE_FN void cell_forward(const real *zx, const real *zh, const real *previous, const real *unit,
                            real *s, real *keep) {
  real r = SIGMOID(zx[0] + zh[0]);
  real z = SIGMOID(zx[1] + zh[1]);
  real q = zh[2];
  real n = TANH(zx[2] + r * q);
  s[0] = (1.0f - z) * n + z * previous[0];
  keep[0] = r;
  keep[1] = z;
  keep[2] = n;
  keep[3] = q;
}

DEVICE_FN void cell_backward(const real *keep, const real *previous, const real *s,
                             const real *unit, const real *ds, real *dzx, real *dzh,
                             real *dPrevious, real *dUnit) {
  real r = keep[0], z = keep[1], n = keep[2], q = keep[3];
  real dh = ds[0];
  real dn = dh * (1.0f - z) * (1.0f - n * n);
  dzx[0] = dzh[0] = dn * q * r * (1.0f - r);
  dzx[1] = dzh[1] = dh * (previous[0] - n) * z * (1.0f - z);
  dzx[2] = dn;
  dzh[2] = dn * r;
  dPrevious[0] = dh * z;
}
