package io.unroll.examples.data;

import java.time.LocalDate;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.Random;

/** Dates and numbers in words. */
final class Spelling {
  private static final String[] SMALL = {
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen"
  };
  private static final String[] TENS = {
    "", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"
  };
  private static final String KOREAN_DIGITS = "영일이삼사오육칠팔구";
  private static final String[] KOREAN_PLACES = {"", "십", "백", "천"};
  private static final String[] DATE_PATTERNS = {
    "d MMMM yyyy", "MMMM d, yyyy", "EEEE, d MMM yyyy", "EEE MMM d yyyy"
  };

  private Spelling() {}

  /** A number from 0 to 999999, as "twelve thousand three hundred forty-five". */
  static String english(int number) {
    if (number >= 1000) {
      String rest = number % 1000 == 0 ? "" : " " + english(number % 1000);
      return english(number / 1000) + " thousand" + rest;
    }
    if (number >= 100) {
      String rest = number % 100 == 0 ? "" : " " + english(number % 100);
      return SMALL[number / 100] + " hundred" + rest;
    }
    if (number >= 20) {
      return TENS[number / 10] + (number % 10 == 0 ? "" : "-" + SMALL[number % 10]);
    }
    return SMALL[number];
  }

  /**
   * A number from 0 to 99999999 in Sino-Korean words, spaced after 만, ten thousand. A one is not
   * said before 십, 백, 천 (ten, hundred, thousand), nor before a 만 that nothing precedes.
   */
  static String korean(int number) {
    if (number == 0) {
      return "영";
    }
    if (number < 10_000) {
      StringBuilder words = new StringBuilder();
      for (int place = 3, unit = 1000; place >= 0; place--, unit /= 10) {
        int digit = number / unit % 10;
        if (digit > 1 || (digit == 1 && place == 0)) {
          words.append(KOREAN_DIGITS.charAt(digit));
        }
        words.append(digit == 0 ? "" : KOREAN_PLACES[place]);
      }
      return words.toString();
    }
    int tenThousands = number / 10_000;
    String rest = number % 10_000 == 0 ? "" : " " + korean(number % 10_000);
    return (tenThousands == 1 ? "" : korean(tenThousands)) + "만" + rest;
  }

  /** A date in one of six ways; two of them have no digits. */
  static String date(LocalDate date, Random random) {
    int way = random.nextInt(DATE_PATTERNS.length + 2);
    String year = year(date.getYear());
    String month = date.format(DateTimeFormatter.ofPattern("MMMM", Locale.ENGLISH));
    String day = english(date.getDayOfMonth());
    String text =
        switch (way) {
          case 0 -> day + " " + month + " " + year;
          case 1 -> month + " " + day + ", " + year;
          default ->
              date.format(DateTimeFormatter.ofPattern(DATE_PATTERNS[way - 2], Locale.ENGLISH));
        };
    return text.toLowerCase(Locale.ENGLISH).replace('-', ' ');
  }

  /** As it is said: nineteen oh five, two thousand seven, twenty twelve. */
  private static String year(int year) {
    if (year / 10 == 200) {
      return english(year);
    }
    String rest =
        year % 100 == 0 ? "hundred" : (year % 100 < 10 ? "oh " : "") + english(year % 100);
    return english(year / 100) + " " + rest;
  }
}
