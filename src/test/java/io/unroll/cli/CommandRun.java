package io.unroll.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import picocli.CommandLine;

/** What a command line did, run in this process with captured streams. */
record CommandRun(int exit, String out, String err) {
  static CommandRun of(Object... args) {
    String[] words = new String[args.length];
    for (int i = 0; i < args.length; i++) {
      words[i] = String.valueOf(args[i]);
    }
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    CommandLine commandLine = Main.commandLine();
    commandLine.setColorScheme(CommandLine.Help.defaultColorScheme(CommandLine.Help.Ansi.OFF));
    commandLine.setOut(new PrintWriter(out, true)).setErr(new PrintWriter(err, true));
    return new CommandRun(commandLine.execute(words), out.toString(), err.toString());
  }

  /** This, if it went well and has nothing on stderr. */
  CommandRun succeeded() {
    assertEquals("", err);
    assertEquals(0, exit, out);
    return this;
  }

  /** Throws unless it ended with that code and one error message, which has all these words. */
  void failed(int code, String... words) {
    assertEquals(code, exit, this::toString);
    assertTrue(err.startsWith("error: "), this::toString);
    assertFalse(err.contains("\tat "), this::toString);
    assertFalse(err.contains("a defect of Unroll"), this::toString);
    for (String word : words) {
      assertTrue(err.contains(word), () -> "no \"" + word + "\" in " + this);
    }
  }
}
