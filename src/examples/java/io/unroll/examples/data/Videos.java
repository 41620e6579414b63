package io.unroll.examples.data;

import io.unroll.nn.Indices;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Noisy videos of a square that rests or moves by a pixel a frame, and changes its mind now and
 * then and always at a wall. A single frame does not tell how it moves.
 */
public final class Videos {
  /** Pixels of a side. */
  public static final int SIDE = 12;

  /** Pixels of a frame. */
  public static final int PIXELS = SIDE * SIDE;

  /** What the square can do; a label is the place of its word. */
  public static final List<String> MOVES = List.of("rests", "left", "right", "up", "down");

  private static final String ARROWS = "\u00b7\u2190\u2192\u2191\u2193";
  private static final int[] X = {0, -1, 1, 0, 0};
  private static final int[] Y = {0, 0, 0, -1, 1};
  private static final int SQUARE = 3;
  private static final double NOISE = 0.9;

  private final int count;
  private final float[] pixels;
  private final int[] moves;

  private Videos(int steps, int count) {
    this.count = count;
    pixels = new float[steps * count * PIXELS];
    moves = new int[steps * count];
  }

  /** So many videos of as many frames each. */
  public static Videos draw(int steps, int count, long seed) {
    Random random = new Random(seed);
    Videos videos = new Videos(steps, count);
    for (int video = 0; video < count; video++) {
      int x = random.nextInt(SIDE - SQUARE + 1);
      int y = random.nextInt(SIDE - SQUARE + 1);
      int move = 0;
      for (int t = 0; t < steps; t++) {
        while (random.nextInt(5) == 0 || outside(x + X[move]) || outside(y + Y[move])) {
          move = random.nextInt(MOVES.size());
        }
        x += X[move];
        y += Y[move];
        videos.moves[t * count + video] = t == 0 ? Indices.IGNORED : move;
        videos.film(t * count + video, x, y, random);
      }
    }
    return videos;
  }

  private static boolean outside(int at) {
    return at < 0 || at + SQUARE > SIDE;
  }

  private void film(int frame, int left, int top, Random random) {
    for (int p = 0; p < PIXELS; p++) {
      int x = p % SIDE - left;
      int y = p / SIDE - top;
      boolean inside = x >= 0 && x < SQUARE && y >= 0 && y < SQUARE;
      pixels[frame * PIXELS + p] = (float) ((inside ? 1 : 0) + NOISE * random.nextGaussian());
    }
  }

  /**
   * What the way of the brightest patch says, from one frame to the next; labels as in {@link
   * #moves}.
   */
  public int[] followBrightest() {
    int[] said = new int[moves.length];
    for (int frame = count; frame < moves.length; frame++) {
      int from = brightest(frame - count);
      int to = brightest(frame);
      int right = to % SIDE - from % SIDE;
      int down = to / SIDE - from / SIDE;
      if (Math.abs(right) >= Math.abs(down)) {
        said[frame] = right == 0 ? 0 : right < 0 ? 1 : 2;
      } else {
        said[frame] = down < 0 ? 3 : 4;
      }
    }
    return said;
  }

  /** The left upper pixel of the patch of the square's size with the largest sum. */
  private int brightest(int frame) {
    int found = 0;
    double largest = Double.NEGATIVE_INFINITY;
    for (int at = 0; at < PIXELS; at++) {
      double sum = outside(at % SIDE) || outside(at / SIDE) ? Double.NEGATIVE_INFINITY : 0;
      for (int p = 0; p < SQUARE * SQUARE && sum > Double.NEGATIVE_INFINITY; p++) {
        sum += pixels[frame * PIXELS + at + p / SQUARE * SIDE + p % SQUARE];
      }
      if (sum > largest) {
        largest = sum;
        found = at;
      }
    }
    return found;
  }

  /** Labels of a video as arrows, a dot for rest, without its first frame. */
  public String arrows(int[] labels, int video) {
    return IntStream.range(1, labels.length / count)
        .mapToObj(t -> ARROWS.substring(labels[t * count + video], labels[t * count + video] + 1))
        .collect(Collectors.joining(" "));
  }

  /** The frames, [T, N, PIXELS]: background 0 and square 1, but for the noise. */
  public float[] pixels() {
    return pixels;
  }

  /**
   * How the square came to where a frame shows it, [T, N]; of the first ones {@link
   * Indices#IGNORED}.
   */
  public int[] moves() {
    return moves;
  }
}
