package dev.plumb.study;

import dev.plumb.backend.DeviceInfo;
import java.util.Arrays;
import java.util.List;
import java.util.function.ToDoubleFunction;

/**
 * The results of a grid study, complete or in part.
 *
 * @param device the device that trained it
 * @param rows [network number]; null for a network that is not trained
 */
public record GridResult(GridStudy study, DeviceInfo device, GridRow[] rows) {
  /** Returns the available rows of one cell, ordered by seed. */
  public List<GridRow> of(GridStudy.Cell cell) {
    return Arrays.stream(rows, cell.index() * study.seeds(), (cell.index() + 1) * study.seeds()).filter(row -> row != null).toList();
  }

  /** Returns quartiles over the networks of a cell that stayed finite. */
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
