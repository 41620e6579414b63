package io.unroll.examples.data;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * Made-up reviews of one or two clauses, positive or negative. Each clause is about one thing and
 * says what it was, with up to two negations; which clause decides depends on the words that join
 * them. The same words in another order may so mean the opposite.
 */
public final class Reviews {
  /** The labels in the order of their classes. */
  public static final List<String> LABELS = List.of("negative", "positive");

  private static final String[] SUBJECTS = {
    "the plot", "the acting", "the music", "this film", "the ending", "every scene", "the cast"
  };
  private static final String[][] OPINIONS = {
    {"bad", "dull", "boring", "awful", "weak", "a mess", "a waste of time"},
    {"good", "moving", "funny", "brilliant", "strong", "a joy", "worth the ticket"}
  };
  private static final String[] DEGREES = {"", "", "really", "quite", "simply", "at times"};
  private static final String[][] VERBS = {
    {"is", "was", "seemed", "felt"}, {"is not", "was never", "is anything but", "is far from"}
  };
  private static final String[] DOUBTS = {
    "i do not think that", "nobody would say that", "it is wrong that"
  };

  /**
   * One review.
   *
   * @param text in lower case
   * @param label one of {@link #LABELS}
   */
  public record Review(String text, String label) {}

  private Reviews() {}

  /** So many reviews; the same seed writes the same. */
  public static List<Review> write(int count, long seed) {
    Random random = new Random(seed);
    List<Review> reviews = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      reviews.add(review(random));
    }
    return reviews;
  }

  private static Review review(Random random) {
    int wanted = random.nextInt(2);
    String label = LABELS.get(wanted);
    String decides = clause(wanted, random);
    String other = clause(random.nextInt(4) == 0 ? wanted : 1 - wanted, random);
    return switch (random.nextInt(5)) {
      case 0 -> new Review(decides, label);
      case 1 -> new Review(other + " , but " + decides, label);
      case 2 -> new Review("although " + other + " , " + decides, label);
      case 3 -> new Review(decides + " , even if " + other, label);
      default -> new Review(decides + " although " + other, label);
    };
  }

  private static String clause(int wanted, Random random) {
    int doubted = random.nextInt(4) == 0 ? 1 : 0;
    int negated = random.nextInt(2);
    String[] opinions = OPINIONS[wanted ^ doubted ^ negated];
    String degree = pick(DEGREES, random);
    return (doubted == 1 ? pick(DOUBTS, random) + " " : "")
        + pick(SUBJECTS, random)
        + " "
        + pick(VERBS[negated], random)
        + (degree.isEmpty() ? " " : " " + degree + " ")
        + pick(opinions, random);
  }

  private static String pick(String[] from, Random random) {
    return from[random.nextInt(from.length)];
  }
}
