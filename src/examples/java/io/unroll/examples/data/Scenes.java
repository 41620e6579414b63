package io.unroll.examples.data;

import io.unroll.nn.Indices;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Small colour images of one or two things, and the sentences that describe them, such as "a large
 * red circle above a small blue square". Where exactly a thing is, and the noise, chance decides.
 */
public final class Scenes {
  /** Pixels of a side. */
  public static final int SIDE = 16;

  /** Numbers of an image: a plane each for red, green and blue. */
  public static final int PIXELS = 3 * SIDE * SIDE;

  /** All words; the number of a word is its place. */
  public static final List<String> WORDS =
      List.of(
          "a",
          "small",
          "large",
          "red",
          "green",
          "blue",
          "yellow",
          "circle",
          "square",
          "triangle",
          "above",
          "left",
          "of",
          ".");

  /** The number of the word that ends a sentence, and that stands before the first. */
  public static final int END = WORDS.size() - 1;

  /** Words of the longest sentence, with its end. */
  public static final int LONGEST = 11;

  private static final float[][] COLOURS = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}, {1, 1, 0}};
  private static final double NOISE = 0.1;

  private record Thing(boolean large, int colour, int shape) {
    static Thing any(Random random) {
      return new Thing(random.nextBoolean(), random.nextInt(COLOURS.length), random.nextInt(3));
    }

    IntStream words() {
      return IntStream.of(0, large ? 2 : 1, 3 + colour, 7 + shape);
    }

    /** Whether it covers a point, given from its middle to the right and downwards. */
    boolean covers(double x, double y) {
      double radius = large ? 3.4 : 2.1;
      return switch (shape) {
        case 0 -> x * x + y * y <= radius * radius;
        case 1 -> Math.max(Math.abs(x), Math.abs(y)) <= 0.9 * radius;
        default -> Math.abs(y) <= radius && Math.abs(x) <= (y + radius) / 2;
      };
    }
  }

  private final float[] pixels;
  private final List<int[]> sentences = new ArrayList<>();

  private Scenes(int count) {
    pixels = new float[count * PIXELS];
  }

  /** So many scenes, a third of them of one thing. */
  public static Scenes draw(int count, long seed) {
    Random random = new Random(seed);
    Scenes scenes = new Scenes(count);
    for (int i = 0; i < count; i++) {
      for (int p = 0; p < PIXELS; p++) {
        scenes.pixels[i * PIXELS + p] = (float) (NOISE * random.nextGaussian());
      }
      IntStream words =
          random.nextInt(3) == 0 ? scenes.drawOne(i, random) : scenes.drawTwo(i, random);
      scenes.sentences.add(IntStream.concat(words, IntStream.of(END)).toArray());
    }
    return scenes;
  }

  private IntStream drawOne(int image, Random random) {
    Thing thing = Thing.any(random);
    place(image, thing, 5.5 + 5 * random.nextDouble(), 5.5 + 5 * random.nextDouble());
    return thing.words();
  }

  private IntStream drawTwo(int image, Random random) {
    Thing first = Thing.any(random);
    Thing second = Thing.any(random);
    boolean above = random.nextBoolean();
    double[] near = {3.5 + random.nextDouble(), 5.5 + 5 * random.nextDouble()};
    double[] far = {11.5 + random.nextDouble(), 5.5 + 5 * random.nextDouble()};
    place(image, first, near[above ? 1 : 0], near[above ? 0 : 1]);
    place(image, second, far[above ? 1 : 0], far[above ? 0 : 1]);
    IntStream where = above ? IntStream.of(10) : IntStream.of(11, 12);
    return IntStream.concat(IntStream.concat(first.words(), where), second.words());
  }

  private void place(int image, Thing thing, double atX, double atY) {
    for (int y = 0; y < SIDE; y++) {
      for (int x = 0; x < SIDE; x++) {
        for (int c = 0; c < 3 && thing.covers(x + 0.5 - atX, y + 0.5 - atY); c++) {
          pixels[image * PIXELS + (c * SIDE + y) * SIDE + x] += COLOURS[thing.colour][c];
        }
      }
    }
  }

  /** How many there are, N. */
  public int size() {
    return sentences.size();
  }

  /** The images, [N, PIXELS]: dark 0 and full colour 1, but for the noise. */
  public float[] pixels() {
    return pixels;
  }

  /** The words to write at every step, [LONGEST, N]; past an end {@link Indices#IGNORED}. */
  public int[] next() {
    int[] next = new int[LONGEST * size()];
    for (int i = 0; i < next.length; i++) {
      int[] sentence = sentences.get(i % size());
      int step = i / size();
      next[i] = step < sentence.length ? sentence[step] : Indices.IGNORED;
    }
    return next;
  }

  /** The words that come before those, [LONGEST, N]: first {@link #END}. */
  public int[] before() {
    int[] before = new int[LONGEST * size()];
    Arrays.fill(before, END);
    System.arraycopy(next(), 0, before, size(), before.length - size());
    return before;
  }

  /** The sentence of an image, without its end. */
  public String text(int image) {
    return text(sentences.get(image));
  }

  /** The sentence of these images whose image is nearest to one of others. */
  public String nearest(Scenes others, int image) {
    int nearest = 0;
    double least = Double.POSITIVE_INFINITY;
    for (int i = 0; i < size(); i++) {
      double distance = 0;
      for (int p = 0; p < PIXELS && distance < least; p++) {
        double difference = pixels[i * PIXELS + p] - others.pixels[image * PIXELS + p];
        distance += difference * difference;
      }
      if (distance < least) {
        least = distance;
        nearest = i;
      }
    }
    return text(nearest);
  }

  /** Words as text, up to the end of the sentence. */
  public static String text(int[] words) {
    return IntStream.of(words)
        .takeWhile(word -> word != END)
        .mapToObj(WORDS::get)
        .collect(Collectors.joining(" "));
  }
}
