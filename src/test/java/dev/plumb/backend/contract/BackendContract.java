package dev.plumb.backend.contract;

import dev.plumb.backend.Backend;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** The tests that every backend must pass. The test class of a backend extends this class and opens the backend. */
public abstract class BackendContract
    implements VectorsContract, StepsContract, SizesContract, UpdatesContract, BatchesContract, BitForBitContract,
        EvaluationContract, WeightsContract, NormalizationContract, TapsContract, DropoutContract, NonFiniteContract, MisuseContract {
  private Backend backend;

  protected abstract Backend openBackend();

  @Override
  public final Backend backend() {
    return backend;
  }

  @BeforeEach
  final void open() {
    backend = openBackend();
  }

  @AfterEach
  final void close() {
    backend.close();
  }
}
