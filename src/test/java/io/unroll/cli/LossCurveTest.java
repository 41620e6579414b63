package io.unroll.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LossCurveTest {
  @TempDir Path folder;

  /** Whatever a loss comes to, drawing it ends. */
  @ParameterizedTest
  @ValueSource(doubles = {2, 2.0001, 0, 1e-9, 1e5, 1e30, Double.MAX_VALUE})
  @Timeout(value = 30, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
  void drawsAnyLoss(double last) throws IOException {
    List<Metrics.Line> lines = new ArrayList<>();
    for (double loss : new double[] {2, 1.5, last}) {
      lines.add(new Metrics.Line(lines.size() + 1, 1, loss, loss, 0.1, 1, 1));
    }
    Path file = folder.resolve("loss.png");
    assertNull(LossCurve.write(file, "a run", lines));
    assertEquals(600, ImageIO.read(file.toFile()).getHeight());
    assertEquals(Math.min(10, last), LossCurve.drawn(last), "cut where nothing is learned");
  }
}
