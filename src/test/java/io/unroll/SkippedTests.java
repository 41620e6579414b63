package io.unroll;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.TestExecutionResult.Status;
import org.junit.platform.engine.support.descriptor.ClassSource;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.TestPlan;

/**
 * Prints every skipped test with its reason when the run ends; Surefire by itself only counts them.
 * Registered in META-INF/services.
 */
public final class SkippedTests implements TestExecutionListener {
  private final List<String> lines = new CopyOnWriteArrayList<>();

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
  public void testPlanExecutionFinished(TestPlan plan) {
    lines.forEach(System.out::println);
    lines.clear();
  }

  private void add(TestIdentifier test, String reason) {
    String place =
        test.getSource()
            .map(
                source ->
                    source instanceof MethodSource method
                        ? method.getClassName() + "." + method.getMethodName()
                        : source instanceof ClassSource type ? type.getClassName() : "")
            .orElse("");
    lines.add("SKIPPED " + place + " " + test.getDisplayName() + ": " + reason);
  }
}
