package io.unroll.cli;

import io.unroll.BackendUnavailableException;
import io.unroll.DeviceException;
import io.unroll.FileFormatException;
import io.unroll.train.TrainingDivergedException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import picocli.CommandLine;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/** Turns what a command throws into one message on stderr and the exit code 1 or 2. */
final class Failures implements IParameterExceptionHandler, IExecutionExceptionHandler {
  @Override
  public int handleParseException(ParameterException failure, String[] args) {
    CommandLine command = failure.getCommandLine();
    printError(command, failure.getMessage());
    UnmatchedArgumentException.printSuggestions(failure, command.getErr());
    command.getErr().println("See \"" + command.getCommandSpec().qualifiedName() + " --help\".");
    return ExitCode.USAGE;
  }

  @Override
  public int handleExecutionException(Exception failure, CommandLine command, ParseResult parsed) {
    printError(command, message(failure));
    if (command.getCommandSpec().root().userObject() instanceof Main main && main.stacktrace) {
      failure.printStackTrace(command.getErr());
    }
    return isBadInput(failure) ? ExitCode.USAGE : ExitCode.SOFTWARE;
  }

  private static void printError(CommandLine command, String message) {
    command.getErr().println(command.getColorScheme().errorText("error: " + message));
  }

  private static boolean isBadInput(Exception failure) {
    return failure instanceof InputException
        || failure instanceof IllegalArgumentException
        || failure instanceof FileFormatException
        || failure instanceof NoSuchFileException
        || failure instanceof NotDirectoryException
        || failure instanceof AccessDeniedException;
  }

  private static String message(Exception failure) {
    if (failure instanceof NoSuchFileException missing && missing.getReason() == null) {
      return missing.getFile() + ": there is no such file or folder; check the path";
    }
    if (failure instanceof AccessDeniedException denied) {
      return denied.getFile() + ": access was denied; check the permissions";
    }
    boolean explained =
        failure instanceof InputException
            || failure instanceof WorkFailedException
            || failure instanceof IllegalArgumentException
            || failure instanceof IOException
            || failure instanceof UncheckedIOException
            || failure instanceof BackendUnavailableException
            || failure instanceof DeviceException
            || failure instanceof TrainingDivergedException;
    return explained && failure.getMessage() != null
        ? failure.getMessage()
        : "a defect of Unroll: " + failure + ". Run again with --stacktrace and report it";
  }
}
