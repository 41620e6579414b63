package io.unroll.device.cuda;

/**
 * Commands that were asked of a stream and not yet handed to the driver, as numbers: a shape, which
 * tells what is done, and values, which tell with what. Lists of the same shape are one graph with
 * other values. All of it lies in arrays that are taken once, 0.2 MiB, and no buffer is referred
 * to: whoever frees one lets the stream flush first.
 */
final class CommandList {
  /** Commands of a list. Writing so many down takes as long as a device needs for about ten. */
  static final int CAPACITY = 1024;

  /** Numbers that tell what a command of foreign work does. */
  static final int MOST_WORDS = 32;

  /** What a command is, the first word of its shape. */
  static final int KERNEL = 0;

  static final int COPY = 1;
  static final int FOREIGN = 2;

  /** Numbers of a shape before those of foreign work: its kind, whose work, and how many. */
  private static final int HEAD = 3;

  private static final int SHAPE_WORDS = 8 * CAPACITY;
  private static final int VALUES = 16 * CAPACITY;

  private final Object[] subjects = new Object[CAPACITY];
  private final long[] shape = new long[SHAPE_WORDS];
  private final int[] shapeFrom = new int[CAPACITY + 1];
  private final long[] values = new long[VALUES];
  private final int[] valuesFrom = new int[CAPACITY + 1];
  private int count;
  private int shapeEnd;
  private int valuesEnd;

  /** Whether any command fits. */
  boolean hasRoom() {
    return count < CAPACITY
        && shapeFrom[count] + HEAD + MOST_WORDS <= SHAPE_WORDS
        && valuesFrom[count] + ParameterBlock.CAPACITY <= VALUES;
  }

  /** Begins a command; one that was not ended is forgotten. */
  CommandList begin() {
    shapeEnd = shapeFrom[count];
    valuesEnd = valuesFrom[count];
    return this;
  }

  /** Adds a parameter of the command that was begun. */
  void value(long bits) {
    values[valuesEnd++] = bits;
  }

  private void word(long word) {
    shape[shapeEnd++] = word;
  }

  private void end(Object subject) {
    subjects[count++] = subject;
    shapeFrom[count] = shapeEnd;
    valuesFrom[count] = valuesEnd;
  }

  /** Ends a launch, whose parameters are the values. */
  void kernel(CudaKernel kernel, int groups, int group, int dynamicBytes) {
    word(KERNEL);
    word(kernel.handle().address());
    word(groups);
    word((long) group << Integer.SIZE | dynamicBytes);
    word(valuesEnd - valuesFrom[count]);
    end(kernel);
  }

  /** Adds a copy between two addresses. */
  void copy(long to, long from, long bytes) {
    begin();
    word(COPY);
    word(bytes);
    value(to);
    value(from);
    end("copy in");
  }

  /**
   * Adds foreign work.
   *
   * @param number the work's, which no other has
   */
  void foreign(ForeignWork work, int number, long[] words, int length) {
    begin();
    word(FOREIGN);
    word(number);
    word(length);
    for (int i = 0; i < length; i++) {
      word(words[i]);
    }
    end(work);
  }

  /** Forgets all commands. */
  void clear() {
    for (int i = 0; i < count; i++) {
      subjects[i] = null;
    }
    count = 0;
  }

  /** How many commands there are. */
  int count() {
    return count;
  }

  /** What command i is. */
  int kind(int i) {
    return (int) shape[shapeFrom[i]];
  }

  /** The kernel of launch i. */
  CudaKernel kernelAt(int i) {
    return (CudaKernel) subjects[i];
  }

  /** Groups of launch i. */
  int groupsAt(int i) {
    return (int) shape[shapeFrom[i] + 2];
  }

  /** Lanes of a group of launch i. */
  int groupAt(int i) {
    return (int) (shape[shapeFrom[i] + 3] >>> Integer.SIZE);
  }

  /** Bytes of memory that a group of launch i has besides what its text declares. */
  int dynamicBytesAt(int i) {
    return (int) shape[shapeFrom[i] + 3];
  }

  /** Bytes of copy i. */
  long bytesAt(int i) {
    return shape[shapeFrom[i] + 1];
  }

  /** Where copy i goes. */
  long targetAt(int i) {
    return values[valuesFrom[i]];
  }

  /** Where copy i comes from. */
  long sourceAt(int i) {
    return values[valuesFrom[i] + 1];
  }

  /** The foreign work of command i. */
  ForeignWork foreignAt(int i) {
    return (ForeignWork) subjects[i];
  }

  /** Its numbers, in {@link #shape}: where they begin. */
  int wordsFrom(int i) {
    return shapeFrom[i] + HEAD;
  }

  /** What every command is, one behind the other; {@link #shapeEnd} of it count. */
  long[] shape() {
    return shape;
  }

  /** The end of the shape. */
  int shapeEnd() {
    return shapeFrom[count];
  }

  /** The values of all commands; {@link #valuesFrom} of the count of commands is their end. */
  long[] values() {
    return values;
  }

  /** Where the values of command i begin. */
  int valuesFrom(int i) {
    return valuesFrom[i];
  }

  /** A number that lists of equal shape share. */
  long hash() {
    long hash = count;
    for (int i = 0; i < shapeFrom[count]; i++) {
      hash = (hash ^ hash >>> 29) * 0x9e37_79b9_7f4a_7c15L + shape[i];
    }
    return hash;
  }

  /** The name of command i, for messages. */
  String name(int i) {
    return switch (kind(i)) {
      case KERNEL -> kernelAt(i).label();
      case FOREIGN -> foreignAt(i).name();
      default -> (String) subjects[i];
    };
  }

  /** How many commands, the first and the last, for messages. */
  String describe() {
    return "%d commands, %s to %s".formatted(count, name(0), name(count - 1));
  }
}
