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
  /** XChart looks without end for ticks on an axis to 1e30, which a diverging loss may reach. */
  private static final double HIGHEST = 1000;

  private LossCurve() {}

  /**
   * Writes a PNG. A loss above 1000 nats, of a training that diverges, is drawn as 1000.
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
    chart.getStyler().setYAxisDecimalPattern("0.0");
    chart
        .addSeries(
            "training",
            lines.stream().mapToDouble(Metrics.Line::step).toArray(),
            lines.stream().mapToDouble(line -> Math.min(line.loss(), HIGHEST)).toArray())
        .setMarker(SeriesMarkers.NONE);
    List<Metrics.Line> measured =
        lines.stream().filter(line -> line.validationLoss() != null).toList();
    if (!measured.isEmpty()) {
      chart.addSeries(
          "validation",
          measured.stream().mapToDouble(Metrics.Line::step).toArray(),
          measured.stream()
              .mapToDouble(line -> Math.min(line.validationLoss(), HIGHEST))
              .toArray());
    }
    return chart;
  }
}
