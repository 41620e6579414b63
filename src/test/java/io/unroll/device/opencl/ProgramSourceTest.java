package io.unroll.device.opencl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProgramSourceTest {
  private static final List<String> FILES = List.of("math.h", "cells/lstm.h", "gpu/stepwise.h");

  private static List<String> lines(String file) throws IOException {
    try (InputStream content =
        ProgramSourceTest.class.getResourceAsStream("/io/unroll/kernels/" + file)) {
      return new String(content.readAllBytes(), StandardCharsets.UTF_8).lines().toList();
    }
  }

  /**
   * Follows #line as a compiler does: every line must be where it says, and none may be missing.
   */
  @Test
  void everyLineSaysWhereItIs() throws IOException {
    Map<String, List<String>> found = new HashMap<>();
    String file = null;
    int number = 0;
    for (String line : ProgramSource.of(FILES, Map.of()).lines().toList()) {
      if (line.startsWith("#line ")) {
        String[] words = line.split(" ");
        number = Integer.parseInt(words[1]);
        file = words[2].replace("\"", "");
      } else {
        assertEquals(lines(file).get(number - 1), line, file + ":" + number);
        found.computeIfAbsent(file, name -> new ArrayList<>()).add(line);
        number++;
      }
    }
    assertTrue(found.keySet().containsAll(FILES) && found.containsKey("dialect.h"), "" + found);
    for (Map.Entry<String, List<String>> entry : found.entrySet()) {
      List<String> expected =
          lines(entry.getKey()).stream().filter(l -> !l.startsWith("#include \"")).toList();
      assertEquals(expected, entry.getValue(), entry.getKey());
    }
  }

  @Test
  void constantsComeFirst() {
    String text = ProgramSource.of(FILES, Map.of("GROUP", 64));
    assertTrue(text.startsWith("#define GROUP 64\n#line 1 \"math.h\"\n"), text.substring(0, 80));
    assertFalse(text.contains("#include \""), "an include is left");
  }

  @Test
  void aMissingFileIsNamed() {
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () -> ProgramSource.of(List.of("cells/nought.h"), Map.of()))
            .getMessage();
    assertTrue(message.contains("cells/nought.h"), message);
  }

  @Test
  void aFolderOfTheUserTakesTheJarsPlace(@TempDir Path folder) throws IOException {
    Files.createDirectory(folder.resolve("gpu"));
    Files.writeString(folder.resolve("dialect.h"), "mine\n");
    Files.writeString(folder.resolve("gpu/a.h"), "#include \"../dialect.h\"\n#include \"b.h\"\n");
    System.setProperty(ProgramSource.PROPERTY, folder.toString());
    try {
      IllegalArgumentException missing =
          assertThrows(
              IllegalArgumentException.class, () -> ProgramSource.of(List.of("gpu/a.h"), Map.of()));
      assertTrue(missing.getMessage().contains(folder.toString()), missing::getMessage);
      assertTrue(missing.getMessage().startsWith("gpu/a.h:2 includes"), missing::getMessage);
      Files.writeString(folder.resolve("gpu/b.h"), "yours\n");
      String text = ProgramSource.of(List.of("gpu/a.h"), Map.of());
      assertTrue(text.contains("mine\n") && text.contains("yours\n"), text);
    } finally {
      System.clearProperty(ProgramSource.PROPERTY);
    }
  }
}
