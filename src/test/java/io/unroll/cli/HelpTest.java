package io.unroll.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;

class HelpTest {
  static Stream<String> commands() {
    return Stream.concat(
        Main.commandLine().getSubcommands().keySet().stream(), Stream.of("bench compare"));
  }

  private static CommandSpec spec(String command) {
    CommandLine found = Main.commandLine();
    for (String word : command.split(" ")) {
      found = found.getSubcommands().get(word);
    }
    return found.getCommandSpec();
  }

  private static CommandRun help(String command) {
    return CommandRun.of((Object[]) (command + " --help").split(" "));
  }

  @ParameterizedTest
  @MethodSource("commands")
  void teaches(String command) {
    String help = help(command).succeeded().out();
    assertTrue(help.contains("Usage: unroll " + command), help);
    assertTrue(help.contains("Exit codes:"), help);
    String examples = help.substring(help.indexOf("Examples:"));
    int shown = examples.split("unroll " + command, -1).length - 1;
    assertTrue(shown >= 2, () -> "two examples of " + command + " in " + help);
  }

  @ParameterizedTest
  @MethodSource("commands")
  void namesTheDefaultOfEveryOption(String command) {
    CommandSpec spec = spec(command);
    List<ArgSpec> all = new ArrayList<>(spec.options());
    all.addAll(spec.positionalParameters());
    for (ArgSpec argument : all) {
      if (argument.arity().max() == 0) {
        continue;
      }
      String described = String.join(" ", argument.description());
      assertTrue(
          described.contains(
              argument.defaultValue() == null ? "default" : "default: " + argument.defaultValue()),
          () -> command + " " + argument.paramLabel() + ": " + described);
    }
  }

  @ParameterizedTest
  @MethodSource("commands")
  void examplesParse(String command) {
    String[] footer = spec(command).usageMessage().footer();
    for (String line : footer) {
      if (!line.startsWith("  unroll ")) {
        continue;
      }
      for (String example : line.split("&&")) {
        String[] words = example.strip().replace("\"", "").split(" +");
        CommandLine fresh = Main.commandLine();
        fresh.parseArgs(List.of(words).subList(1, words.length).toArray(String[]::new));
      }
    }
  }

  @Test
  void listsEveryCommand() {
    String help = CommandRun.of("--help").succeeded().out();
    Main.commandLine()
        .getSubcommands()
        .keySet()
        .forEach(command -> assertTrue(help.contains("\n  " + command + " "), help));
    assertTrue(help.contains("unroll doctor"), help);
  }

  @Test
  void tellsTheVersion() {
    assertEquals("unroll " + Version.text(), CommandRun.of("--version").succeeded().out().strip());
  }

  @Test
  void aMissingOrUnknownCommandIsBadUsage() {
    CommandRun.of().failed(2, "subcommand", "--help");
    CommandRun.of("tran").failed(2, "tran", "--help");
    CommandRun.of("bench", "--sede", "1").failed(2, "--sede", "unroll bench --help");
  }

  @Test
  void offersStacktraceEverywhere() {
    for (String command : Set.copyOf(commands().toList())) {
      assertTrue(help(command).out().contains("--stacktrace"), command);
    }
  }
}
