package dev.plumb.study;

import dev.plumb.backend.DeviceInfo;
import java.util.Arrays;
import java.util.List;
import java.util.function.ToDoubleFunction;

/**
 * A grid that is finished, or what there is of one.
 *
 * @param device that trained it
 * @param rows by their number; null where a network is not trained
 */
public record GridResult(GridStudy study, DeviceInfo device, GridRow[] rows) {
  /** Those of one cell that are there, by rising seed. */
  public List<GridRow> of(GridStudy.Cell cell) {
    return Arrays.stream(rows, cell.index() * study.seeds(), (cell.index() + 1) * study.seeds()).filter(row -> row != null).toList();
  }

  /** Of the networks of a cell that stayed finite. */
  public Quartiles quartiles(GridStudy.Cell cell, ToDoubleFunction<GridRow> figure) {
    return Quartiles.of(of(cell).stream().filter(row -> row.diverged() == 0).mapToDouble(figure).toArray());
  }

  public long diverged() {
    return Arrays.stream(rows).filter(row -> row != null && row.diverged() > 0).count();
  }

  public long finished() {
    return Arrays.stream(rows).filter(row -> row != null).count();
  }
}
