/**
 * What a user touches first: {@link io.unroll.Backend} opens a device, {@link io.unroll.CellSpec}
 * names a recurrent cell, and the exceptions say what went wrong and what cures it.
 */
package io.unroll;
