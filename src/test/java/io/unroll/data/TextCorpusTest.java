package io.unroll.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.FileFormatException;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

class TextCorpusTest {
  @TempDir Path folder;

  @Test
  void aFileIsReadWithUnixLineEndsAndWithoutItsMark() throws IOException {
    Path file = Files.writeString(folder.resolve("시.txt"), "\uFEFF나비\r\n🦋\r\r\n\uFEFF끝");
    TextCorpus corpus = TextCorpus.read(file);
    assertEquals("나비\n🦋\r\n\uFEFF끝", corpus.text());
    assertEquals("시.txt", corpus.name());
    assertEquals("\n\r끝나비\uFEFF🦋", corpus.vocabulary().symbols());
    assertEquals(corpus.text(), corpus.vocabulary().decode(corpus.ids()));
    assertEquals(8, corpus.ids().length);
    assertEquals(List.of(), corpus.notes());
  }

  @Test
  void aFolderIsReadInTheOrderOfItsPaths() throws IOException {
    write("b.txt", "B\n");
    write("a/z.txt", "AZ");
    write("a.txt", "\uFEFFA\r\n");
    write("a/deep/er.txt", "DEEP");
    write("c.txt", "C");
    write("d-empty.txt", "");
    write(".hidden", "no");
    write(".git/config", "no");
    write("a/.DS_Store", "no");
    // '.' comes before '/', so a.txt is read before a/.
    TextCorpus corpus = TextCorpus.read(folder);
    assertEquals("A\nDEEP\nAZ\nB\nC", corpus.text());
    assertEquals(folder.getFileName().toString(), corpus.name());
    assertEquals(List.of(), corpus.notes());
  }

  @Test
  void aHiddenFolderIsReadWhenAskedFor() throws IOException {
    write(".notes/a.txt", "text");
    assertEquals("text", TextCorpus.read(folder.resolve(".notes")).text());
  }

  @Test
  void filesThatAreNotUtf8AreLeftOutWithANote() throws IOException {
    write("a.txt", "안녕");
    Files.write(folder.resolve("b.txt"), "안녕".getBytes(Charset.forName("EUC-KR")));
    write("c.txt", "끝");
    TextCorpus corpus = TextCorpus.read(folder);
    assertEquals("안녕\n끝", corpus.text());
    assertEquals(
        List.of(folder.resolve("b.txt") + " was left out: byte 0 is not UTF-8"), corpus.notes());
  }

  @Test
  void aSingleFileThatIsNotUtf8IsRefusedWithTheOffset() throws IOException {
    // Beyond the decoder's buffer of 8192 characters, after characters of 3 and 4 bytes.
    byte[] bytes = ("가🦋".repeat(5000) + "!").getBytes(StandardCharsets.UTF_8);
    bytes[35_000] = (byte) 0xFF;
    assertOffset(bytes, "byte 35000 (0xFF)");
    assertOffset(new byte[] {'a', (byte) 0xC0, (byte) 0x80}, "byte 1 (0xC0)");
    assertOffset(new byte[] {'a', 'b', (byte) 0xED, (byte) 0xA0, (byte) 0x80}, "byte 2 (0xED)");
    assertOffset(new byte[] {'a', (byte) 0xEA, (byte) 0xB0}, "byte 1 (0xEA)");
  }

  private void assertOffset(byte[] bytes, String expected) throws IOException {
    Path file = Files.write(folder.resolve("bad.txt"), bytes);
    String message = refusal(() -> TextCorpus.read(file));
    assertTrue(message.startsWith(file + ": " + expected + " is not UTF-8"), message);
    assertTrue(message.contains("iconv"), message);
  }

  @Test
  void noTextIsRefused() throws IOException {
    assertTrue(refusal(() -> TextCorpus.read(folder)).contains("there is no text in it"));
    Path file = write("empty.txt", "");
    assertTrue(refusal(() -> TextCorpus.read(file)).contains("there is no text in it"));
    write("empty.txt", "\uFEFF");
    assertTrue(refusal(() -> TextCorpus.read(file)).contains("there is no text in it"));
    Files.write(folder.resolve("b.bin"), new byte[] {-1});
    String message = refusal(() -> TextCorpus.read(folder));
    assertTrue(message.contains("no text left: ") && message.contains("b.bin was"), message);
    assertThrows(IllegalArgumentException.class, () -> TextCorpus.fromString("none", ""));
    message =
        assertThrows(NoSuchFileException.class, () -> TextCorpus.read(folder.resolve("absent")))
            .getMessage();
    assertTrue(message.contains("there is no such file or folder"), message);
  }

  @Test
  void aResourceOfTheClassPathIsRead() throws IOException {
    TextCorpus corpus = TextCorpus.fromResource(TextCorpusTest.class, "poem.txt");
    assertEquals("나비야 🦋\n나비야\n", corpus.text());
    assertEquals("poem.txt", corpus.name());
    String message =
        assertThrows(
                NoSuchFileException.class,
                () -> TextCorpus.fromResource(TextCorpusTest.class, "absent.txt"))
            .getMessage();
    assertTrue(message.contains("absent.txt: there is no such resource"), message);
  }

  @Test
  void theEndValidatesWhatTheBeginningTrains() {
    TextCorpus corpus = TextCorpus.fromString("ten", "\uFEFF가나다라마바사🦋\r\nz");
    assertEquals(10, corpus.ids().length);
    TextCorpus.Split split = corpus.split(0.25);
    assertEquals("가나다라마바사🦋", corpus.vocabulary().decode(split.train()));
    assertEquals("\nz", corpus.vocabulary().decode(split.validation()));
    assertEquals(0, corpus.split(0).validation().length);
    assertArrayEquals(corpus.ids(), corpus.split(0.0999).train());
    assertEquals(1, corpus.split(0.9999).train().length);
    for (double wrong : new double[] {-0.1, 1, Double.NaN}) {
      assertThrows(IllegalArgumentException.class, () -> corpus.split(wrong));
    }
  }

  private Path write(String path, String text) throws IOException {
    Path file = folder.resolve(path);
    Files.createDirectories(file.getParent());
    return Files.writeString(file, text);
  }

  private static String refusal(Executable action) {
    return assertThrows(FileFormatException.class, action).getMessage();
  }
}
