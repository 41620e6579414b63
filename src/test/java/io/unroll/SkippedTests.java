package io.unroll;

import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.TestExecutionResult.Status;
import org.junit.platform.engine.support.descriptor.ClassSource;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.TestPlan;

/**
 * Prints when the run ends why tests were skipped, and for each reason of which classes how many;
 * Surefire by itself only counts them. Registered in META-INF/services.
 */
public final class SkippedTests implements TestExecutionListener {
  private final Map<String, Map<String, Integer>> classesByReason = new TreeMap<>();

  @Override
  public void executionSkipped(TestIdentifier test, String reason) {
    add(test, reason);
  }

  @Override
  public void executionFinished(TestIdentifier test, TestExecutionResult result) {
    if (result.getStatus() == Status.ABORTED) {
      add(test, result.getThrowable().map(Throwable::getMessage).orElse("no reason given"));
    }
  }

  @Override
  public synchronized void testPlanExecutionFinished(TestPlan plan) {
    classesByReason.forEach(
        (reason, classes) -> System.out.println("SKIPPED " + describe(classes) + ": " + reason));
    classesByReason.clear();
  }

  private static String describe(Map<String, Integer> classes) {
    return classes.entrySet().stream()
        .map(each -> each.getKey() + " (" + each.getValue() + ")")
        .collect(Collectors.joining(", "));
  }

  private synchronized void add(TestIdentifier test, String reason) {
    classesByReason
        .computeIfAbsent(reason, any -> new TreeMap<>())
        .merge(className(test), 1, Integer::sum);
  }

  private static String className(TestIdentifier test) {
    return test.getSource()
        .map(
            source ->
                source instanceof MethodSource method
                    ? method.getClassName()
                    : source instanceof ClassSource type ? type.getClassName() : "")
        .orElse(test.getDisplayName());
  }
}
