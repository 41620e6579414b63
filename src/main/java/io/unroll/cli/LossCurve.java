package io.unroll.cli;

import io.unroll.io.AtomicFile;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.List;
import javax.imageio.ImageIO;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** Draws the losses of a run. */
final class LossCurve {
  /** Guessing among 20,000 characters costs 10 nats; more is no learning. */
  private static final double HIGHEST = 10;

  private LossCurve() {}

  /**
   * Writes a PNG.
   *
   * @return null, or why it could not be drawn: a machine without fonts has no picture, and that is
   *     no reason to lose a run
   */
  static String write(Path file, String title, List<Metrics.Line> lines) throws IOException {
    if (lines.isEmpty()) {
      return null;
    }
    System.setProperty("java.awt.headless", "true");
    try {
      XYChart chart = chart(title, lines);
      BufferedImage picture = BitmapEncoder.getBufferedImage(chart);
      AtomicFile.write(file, out -> ImageIO.write(picture, "png", out));
      return null;
    } catch (LinkageError | RuntimeException | InternalError e) {
      return e.toString();
    }
  }

  /**
   * Loads what draws. Java cannot load it any more once the process has been asked to end, and a
   * run that Ctrl-C ends shall leave its picture too. What goes wrong here goes wrong, and is told,
   * in {@link #write}.
   */
  static void prepare() {
    System.setProperty("java.awt.headless", "true");
    try {
      Metrics.Line point = new Metrics.Line(1, 1, 1, 1.0, 1, 1, 1);
      ImageIO.write(
          BitmapEncoder.getBufferedImage(chart("", List.of(point))),
          "png",
          OutputStream.nullOutputStream());
    } catch (LinkageError | RuntimeException | InternalError | IOException e) {
      return;
    }
  }

  private static XYChart chart(String title, List<Metrics.Line> lines) {
    XYChart chart =
        new XYChartBuilder()
            .width(960)
            .height(600)
            .title(title)
            .xAxisTitle("step")
            .yAxisTitle("loss in nats a character")
            .build();
    chart.getStyler().setLegendPosition(LegendPosition.InsideNE);
    chart
        .addSeries(
            "training",
            lines.stream().mapToDouble(Metrics.Line::step).toArray(),
            lines.stream().mapToDouble(line -> drawn(line.loss())).toArray())
        .setMarker(SeriesMarkers.NONE);
    List<Metrics.Line> measured =
        lines.stream().filter(line -> line.validationLoss() != null).toList();
    if (!measured.isEmpty()) {
      chart.addSeries(
          "validation",
          measured.stream().mapToDouble(Metrics.Line::step).toArray(),
          measured.stream().mapToDouble(line -> drawn(line.validationLoss())).toArray());
    }
    return chart;
  }

  /** A run that diverges must not flatten the rest of its curve. */
  static double drawn(double loss) {
    return Math.min(loss, HIGHEST);
  }
}
