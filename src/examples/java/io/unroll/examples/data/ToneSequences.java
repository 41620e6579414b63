package io.unroll.examples.data;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/**
 * Digits spoken by a synthesiser: each is two tones that glide, as the formants of a vowel do,
 * sampled at 8 kHz, heard as the energies of frequency bands. Voices differ in height, pace and
 * loudness, pauses in length, some are left out, and there is noise. Nothing says where in the
 * recording a digit is.
 */
public final class ToneSequences {
  /** Frequency bands of a frame. */
  public static final int BANDS = 12;

  /** Classes: 0 for the blank, or silence, and d+1 for the digit d. */
  public static final int CLASSES = 11;

  private static final int MOST_DIGITS = 6;
  private static final double RATE = 8000;
  private static final int FRAME = 128;
  private static final double NOISE = 0.15;

  /** Hertz of the lower tone at its begin and end, and of the upper one; 1 is 0 backwards. */
  private static final double[][] TONES = {
    {300, 600, 2400, 1500},
    {600, 300, 1500, 2400},
    {700, 400, 1000, 1900},
    {400, 700, 1900, 1000},
    {600, 600, 1300, 1300},
    {350, 350, 2200, 2200},
    {500, 800, 1300, 1000},
    {800, 500, 1000, 1300},
    {450, 450, 900, 2600},
    {450, 450, 2600, 900}
  };

  private final float[] energies;
  private final int[] lengths;
  private final int[][] labels;
  private final int[] spoken; // the class of each frame [T,B]; 0 for silence, -1 past the end

  /** What is recorded: samples, and the class of each frame. */
  private record Recording(List<double[]> frames, List<Integer> spoken) {}

  private ToneSequences(List<Recording> recordings, int[][] labels) {
    this.labels = labels;
    lengths = recordings.stream().mapToInt(recording -> recording.frames.size()).toArray();
    int batch = lengths.length;
    int steps = Arrays.stream(lengths).max().orElseThrow();
    energies = new float[steps * batch * BANDS];
    spoken = new int[steps * batch];
    Arrays.fill(spoken, -1);
    for (int b = 0; b < batch; b++) {
      for (int t = 0; t < lengths[b]; t++) {
        spoken[t * batch + b] = recordings.get(b).spoken.get(t);
        listen(recordings.get(b).frames.get(t), (t * batch + b) * BANDS);
      }
    }
  }

  /** So many recordings of one to six digits each. */
  public static ToneSequences record(int count, long seed) {
    Random random = new Random(seed);
    List<Recording> recordings = new ArrayList<>();
    int[][] labels = new int[count][];
    for (int b = 0; b < count; b++) {
      labels[b] = random.ints(1 + random.nextInt(MOST_DIGITS), 1, CLASSES).toArray();
      recordings.add(speak(labels[b], random));
    }
    return new ToneSequences(recordings, labels);
  }

  /** Logarithms of the energies of the bands [T,B,BANDS], zeros past a recording's end. */
  public float[] energies() {
    return energies;
  }

  /** Frames of each recording [B]. */
  public int[] lengths() {
    return lengths;
  }

  /** The classes that each recording speaks [B][]. */
  public int[][] labels() {
    return labels;
  }

  /**
   * What a simple method hears, to compare with: recordings are cut where a frame is nearest to
   * silence, and each piece is the digit of which the mean is nearest to its own mean.
   *
   * @param elsewhere gives the means of silence and of the digits
   * @return classes [B][]
   */
  public int[][] nearestMeans(ToneSequences elsewhere) {
    double[][] means = elsewhere.means();
    int[][] heard = new int[lengths.length][];
    for (int b = 0; b < heard.length; b++) {
      List<Integer> classes = new ArrayList<>();
      double[] piece = new double[BANDS + 1]; // sums, and of how many frames
      for (int t = 0; t <= lengths[b]; t++) {
        boolean cut = t == lengths[b] || nearest(frame(t, b), 1, means, 0) == 0;
        if (cut && piece[BANDS] > 0) {
          classes.add(nearest(piece, piece[BANDS], means, 1));
          Arrays.fill(piece, 0);
        } else if (!cut) {
          add(frame(t, b), piece);
        }
      }
      heard[b] = classes.stream().mapToInt(Integer::intValue).toArray();
    }
    return heard;
  }

  private double[] frame(int t, int b) {
    double[] frame = new double[BANDS];
    Arrays.setAll(frame, band -> energies[(t * lengths.length + b) * BANDS + band]);
    return frame;
  }

  private static void add(double[] frame, double[] sums) {
    for (int band = 0; band < BANDS; band++) {
      sums[band] += frame[band];
    }
    sums[BANDS]++;
  }

  /** The class, from a first one on, whose mean is nearest to sums over a number of frames. */
  private static int nearest(double[] sums, double count, double[][] means, int first) {
    int nearest = first;
    double least = Double.POSITIVE_INFINITY;
    for (int c = first; c < CLASSES; c++) {
      double distance = 0;
      for (int band = 0; band < BANDS; band++) {
        distance += Math.pow(sums[band] / count - means[c][band], 2);
      }
      if (distance < least) {
        least = distance;
        nearest = c;
      }
    }
    return nearest;
  }

  /** The mean energies of each class. */
  private double[][] means() {
    double[][] means = new double[CLASSES][BANDS + 1];
    for (int i = 0; i < spoken.length; i++) {
      if (spoken[i] >= 0) {
        add(frame(i / lengths.length, i % lengths.length), means[spoken[i]]);
      }
    }
    for (double[] mean : means) {
      Arrays.setAll(mean, band -> mean[band] / mean[BANDS]);
    }
    return means;
  }

  private static Recording speak(int[] classes, Random random) {
    Recording recording = new Recording(new ArrayList<>(), new ArrayList<>());
    double height = 1 + 0.08 * (2 * random.nextDouble() - 1);
    double loudness = 0.5 + random.nextDouble();
    double pace = 3 + 3 * random.nextDouble();
    for (int spoken : classes) {
      int pause = random.nextInt(4);
      for (int i = 0; i < pause; i++) {
        add(recording, 0, new double[FRAME], random);
      }
      int frames = (int) (pace + 2 * random.nextDouble());
      double low = 0;
      double high = 0;
      for (int t = 0; t < frames; t++) {
        double[] tones = TONES[spoken - 1];
        double part = frames == 1 ? 0 : t / (frames - 1.0);
        double lowStep = height * (tones[0] + part * (tones[1] - tones[0])) / RATE;
        double highStep = height * (tones[2] + part * (tones[3] - tones[2])) / RATE;
        double[] samples = new double[FRAME];
        for (int i = 0; i < FRAME; i++) {
          low += 2 * Math.PI * lowStep;
          high += 2 * Math.PI * highStep;
          samples[i] = loudness * (Math.sin(low) + 0.5 * Math.sin(high));
        }
        add(recording, spoken, samples, random);
      }
    }
    return recording;
  }

  private static void add(Recording to, int spoken, double[] samples, Random random) {
    for (int i = 0; i < samples.length; i++) {
      samples[i] += NOISE * random.nextGaussian();
    }
    to.frames.add(samples);
    to.spoken.add(spoken);
  }

  /** The energies of bands around 250 to 2900 Hz, evenly spaced in pitch: Goertzel's algorithm. */
  private void listen(double[] samples, int at) {
    for (int band = 0; band < BANDS; band++) {
      double hertz = 250 * Math.pow(2900.0 / 250, band / (BANDS - 1.0));
      double turn = 2 * Math.cos(2 * Math.PI * hertz / RATE);
      double last = 0;
      double before = 0;
      for (double sample : samples) {
        double next = sample + turn * last - before;
        before = last;
        last = next;
      }
      double energy = last * last + before * before - turn * last * before;
      energies[at + band] = (float) (0.5 * Math.log10(energy / samples.length + 1e-3));
    }
  }
}
