package io.unroll.cli;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/** The command {@code unroll}, under which all others stand. */
@Command(
    name = "unroll",
    description = "Trains and runs recurrent neural networks on the hardware that is there.",
    mixinStandardHelpOptions = true,
    scope = ScopeType.INHERIT,
    versionProvider = Version.class,
    sortOptions = false,
    subcommands = {
      DoctorCommand.class,
      BenchCommand.class,
      VerifyCommand.class,
      TrainCommand.class,
      SampleCommand.class,
      EvalCommand.class,
      InspectCommand.class,
      ExportCommand.class,
      ImportCommand.class
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:all went well",
      "1:the work failed, or what was compared differs",
      "2:the command line or a file given to it cannot be used"
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  unroll doctor               what works on this machine",
      "  unroll bench --help         what a command does, with examples"
    },
    synopsisSubcommandLabel = "COMMAND",
    commandListHeading = "%nCommands:%n",
    descriptionHeading = "%n",
    parameterListHeading = "%nArguments:%n",
    optionListHeading = "%nOptions:%n")
public final class Main {
  @Option(
      names = "--stacktrace",
      scope = ScopeType.INHERIT,
      description = "Print where in the program an error arose.")
  boolean stacktrace;

  private Main() {}

  /** Runs a command line and ends the process with its exit code. */
  public static void main(String[] args) {
    System.exit(commandLine().execute(args));
  }

  /** The command line with all commands, ready to execute. */
  static CommandLine commandLine() {
    Failures failures = new Failures();
    return new CommandLine(new Main())
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setParameterExceptionHandler(failures)
        .setExecutionExceptionHandler(failures);
  }
}
