package io.unroll.io;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Writes safetensors files by hand, right or wrong, without the code under test. */
final class SafetensorsBytes {
  private SafetensorsBytes() {}

  /** A file with one tensor named x. */
  static Path write(Path folder, String dtype, String shape, byte[] data) throws IOException {
    String header =
        String.format(
            "{\"x\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[0,%d]}}",
            dtype, shape, data.length);
    return write(folder, header.getBytes(StandardCharsets.UTF_8), data);
  }

  /** A file with that header, as it is, and that data. */
  static Path write(Path folder, byte[] header, byte[] data) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(header.length).array());
    out.write(header);
    out.write(data);
    return Files.write(Files.createTempFile(folder, "hand", ".safetensors"), out.toByteArray());
  }
}
