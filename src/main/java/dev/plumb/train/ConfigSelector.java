package dev.plumb.train;

import dev.plumb.data.Table;
import java.util.Optional;

/** Chooses the automatic values of a configuration for a table. */
@FunctionalInterface
public interface ConfigSelector {
  /** Leaves the configuration unchanged; what is automatic is chosen by the number of rows. */
  ConfigSelector BY_ROWS = (table, config) -> new Selection(config, Optional.empty());

  /**
   * A chosen configuration.
   *
   * @param estimate the expected scores of a network trained by it, if they have been estimated
   */
  record Selection(TrainConfig config, Optional<FoldEstimate> estimate) {}

  /** Returns whether the choice trains networks, so that other errors should be found before it. */
  default boolean trains(Table table, TrainConfig config) {
    return false;
  }

  /**
   * Chooses a configuration.
   *
   * @param table the whole table
   * @throws dev.plumb.model.InvalidInputException when the table does not suit the configuration
   */
  Selection select(Table table, TrainConfig config);
}
