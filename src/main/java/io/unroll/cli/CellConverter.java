package io.unroll.cli;

import io.unroll.CellSpec;
import java.util.Iterator;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads the name of a cell. */
final class CellConverter implements ITypeConverter<CellSpec> {
  @Override
  public CellSpec convert(String name) {
    try {
      return CellSpec.of(name);
    } catch (IllegalArgumentException e) {
      throw new TypeConversionException(e.getMessage());
    }
  }

  /** The names, for help texts. */
  static final class Names implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return CellSpec.all().stream().map(CellSpec::name).iterator();
    }
  }
}
