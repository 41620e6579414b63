package io.unroll.cli;

import io.unroll.data.TextCorpus;
import java.io.IOException;
import java.nio.file.Path;

/** The texts that a run can be trained on. */
final class Corpora {
  /** What the build packs beside this class: the source of Unroll. */
  private static final String EMBEDDED = "corpus.txt";

  private Corpora() {}

  /** A user's file or folder, or for null the embedded text. */
  static TextCorpus open(Path text) throws IOException {
    return text == null ? TextCorpus.fromResource(Corpora.class, EMBEDDED) : TextCorpus.read(text);
  }

  /** How settings name a text. */
  static String source(Path text) {
    return text == null ? null : text.toAbsolutePath().normalize().toString();
  }

  /** The name of a run on a text. */
  static String runName(String source) {
    if (source == null) {
      return "unroll";
    }
    String name = Path.of(source).getFileName().toString();
    int dot = name.lastIndexOf('.');
    return dot > 0 ? name.substring(0, dot) : name;
  }

  /**
   * The text of a run once more.
   *
   * @throws InputException if it has changed since
   */
  static TextCorpus again(TrainSettings settings) throws IOException {
    TextCorpus corpus = open(settings.source() == null ? null : Path.of(settings.source()));
    if (corpus.text().hashCode() != settings.textHash()) {
      throw new InputException(
          corpus.name()
              + " has changed since the run began, so the run cannot go on exactly; begin a new one"
              + " on the new text with --init-from");
    }
    return corpus;
  }
}
