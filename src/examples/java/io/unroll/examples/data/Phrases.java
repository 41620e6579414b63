package io.unroll.examples.data;

import io.unroll.data.Vocabulary;
import java.time.LocalDate;
import java.util.Locale;
import java.util.Random;

/**
 * Things that are written in two ways, of which one is to be translated into the other. Each thing
 * has a number, which tells whether it is unseen: of those from a thousand on one in ten is, and no
 * way of writing it is ever trained.
 */
public enum Phrases {
  /** A day of 1900 to 2099, in one of several ways with words, to ISO 8601. */
  DATES("abcdefghijklmnopqrstuvwxyz0123456789 ,", "0123456789-", 10) {
    @Override
    int draw(Random random) {
      return random.nextInt(73_049);
    }

    @Override
    public String source(int day, Random random) {
      return Spelling.date(date(day), random);
    }

    @Override
    public String target(int day) {
      return date(day).toString();
    }

    private LocalDate date(int day) {
      return LocalDate.of(1900, 1, 1).plusDays(day);
    }
  },
  /** A number below a million to English words. */
  ENGLISH("0123456789", "abcdefghijklmnopqrstuvwxyz -", 64) {
    @Override
    int draw(Random random) {
      return ofSomeDigits(6, random);
    }

    @Override
    public String source(int number, Random random) {
      return Integer.toString(number);
    }

    @Override
    public String target(int number) {
      return Spelling.english(number);
    }
  },
  /** A number below a hundred million to Sino-Korean words. */
  KOREAN("0123456789", "영일이삼사오육칠팔구십백천만 ", 16) {
    @Override
    int draw(Random random) {
      return ofSomeDigits(8, random);
    }

    @Override
    public String source(int number, Random random) {
      return Integer.toString(number);
    }

    @Override
    public String target(int number) {
      return Spelling.korean(number);
    }
  };

  private static final int UNSEEN_ONE_IN = 10;

  private final Vocabulary sourceSymbols;
  private final Vocabulary targetSymbols;
  private final int longest;

  Phrases(String sourceSymbols, String targetSymbols, int longest) {
    this.longest = longest;
    this.sourceSymbols = Vocabulary.of(sourceSymbols);
    this.targetSymbols = Vocabulary.of(targetSymbols);
  }

  /** The number of a thing, as chance has it. */
  abstract int draw(Random random);

  /** A way of writing it that is translated from; the same for the same state of random. */
  public abstract String source(int number, Random random);

  /** The way of writing it that is translated to. */
  public abstract String target(int number);

  /** The number of a thing that is unseen, or of one that is not. */
  int draw(Random random, boolean unseen) {
    int number;
    do {
      number = draw(random);
    } while (isUnseen(number) != unseen);
    return number;
  }

  /** Whether it is never trained. Of the first thousand none is: they hold the words themselves. */
  public static boolean isUnseen(int number) {
    return number >= 1000 && Math.floorMod(number * 0x9e3779b9, UNSEEN_ONE_IN) == 0;
  }

  /** The characters of what is translated. */
  public Vocabulary sourceSymbols() {
    return sourceSymbols;
  }

  /** The characters of what it is translated to. */
  public Vocabulary targetSymbols() {
    return targetSymbols;
  }

  /** How many characters a translation has at most. */
  public int longest() {
    return longest;
  }

  /** Dates, English or Korean. */
  public String title() {
    return name().charAt(0) + name().substring(1).toLowerCase(Locale.ROOT);
  }

  /** As many numbers of few digits as of many. */
  private static int ofSomeDigits(int most, Random random) {
    int below = (int) Math.pow(10, 1 + random.nextInt(most));
    return random.nextInt(below);
  }
}
