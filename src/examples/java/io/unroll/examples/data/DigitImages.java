package io.unroll.examples.data;

import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.font.GlyphVector;
import java.awt.geom.AffineTransform;
import java.awt.geom.Rectangle2D;
import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * Grey images of the digits 0 to 9, drawn with the fonts that Java finds: turned by up to 25
 * degrees to each side, of different size and style, off the middle, with noise.
 */
public final class DigitImages {
  /** Pixels of a side. */
  public static final int SIDE = 16;

  private static final String[] FONTS = {Font.SANS_SERIF, Font.SERIF, Font.MONOSPACED};
  private static final int[] STYLES = {Font.PLAIN, Font.BOLD, Font.ITALIC, Font.BOLD | Font.ITALIC};
  private static final String SHADES = " .:+#";
  private static final double NOISE = 0.25;

  private final float[] pixels;
  private final int[] digits;

  private DigitImages(float[] pixels, int[] digits) {
    this.pixels = pixels;
    this.digits = digits;
  }

  /** So many images, each digit as often as chance has it. */
  public static DigitImages draw(int count, long seed) {
    System.setProperty("java.awt.headless", "true");
    Random random = new Random(seed);
    DigitImages images = new DigitImages(new float[count * SIDE * SIDE], new int[count]);
    BufferedImage canvas = new BufferedImage(SIDE, SIDE, BufferedImage.TYPE_BYTE_GRAY);
    Graphics2D graphics = canvas.createGraphics();
    graphics.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
    for (int i = 0; i < count; i++) {
      images.digits[i] = random.nextInt(10);
      graphics.setColor(Color.BLACK);
      graphics.fillRect(0, 0, SIDE, SIDE);
      graphics.setColor(Color.WHITE);
      drawDigit(graphics, images.digits[i], random);
      int[] grey = canvas.getRaster().getPixels(0, 0, SIDE, SIDE, (int[]) null);
      for (int p = 0; p < grey.length; p++) {
        double noisy = grey[p] / 255.0 + NOISE * random.nextGaussian();
        images.pixels[i * grey.length + p] = (float) (2 * noisy - 1);
      }
    }
    graphics.dispose();
    return images;
  }

  private static void drawDigit(Graphics2D graphics, int digit, Random random) {
    String font = FONTS[random.nextInt(FONTS.length)];
    int size = SIDE - 4 + random.nextInt(5);
    graphics.setFont(new Font(font, STYLES[random.nextInt(STYLES.length)], size));
    GlyphVector glyph =
        graphics
            .getFont()
            .createGlyphVector(graphics.getFontRenderContext(), Integer.toString(digit));
    Rectangle2D box = glyph.getVisualBounds();
    AffineTransform place = new AffineTransform();
    place.translate(SIDE / 2.0 + random.nextInt(3) - 1, SIDE / 2.0 + random.nextInt(3) - 1);
    place.rotate(Math.toRadians(50 * random.nextDouble() - 25));
    place.translate(-box.getCenterX(), -box.getCenterY());
    graphics.fill(place.createTransformedShape(glyph.getOutline()));
  }

  /** Rows of characters that show some images side by side, the darkest a blank. */
  public List<String> asText(int from, int count) {
    List<String> rows = new ArrayList<>();
    for (int y = 0; y < SIDE; y++) {
      StringBuilder row = new StringBuilder();
      for (int i = from; i < from + count; i++) {
        for (int x = 0; x < SIDE; x++) {
          float value = pixels[(i * SIDE + y) * SIDE + x];
          row.append(SHADES.charAt(Math.max(0, Math.min(4, Math.round(2 * value + 2)))));
        }
      }
      rows.add(row.toString().stripTrailing());
    }
    return rows;
  }

  /** The images, [N, SIDE * SIDE] row by row, black -1 and white 1 but for the noise. */
  public float[] pixels() {
    return pixels;
  }

  /** What each of them shows, [N]. */
  public int[] digits() {
    return digits;
  }
}
