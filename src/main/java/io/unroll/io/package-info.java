/**
 * Files that other programs read as well: {@link io.unroll.io.Safetensors} for tensors, and {@link
 * io.unroll.io.AtomicFile}, through which every file is written whole or not at all.
 */
package io.unroll.io;
