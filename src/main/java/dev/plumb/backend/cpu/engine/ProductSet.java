package dev.plumb.backend.cpu.engine;

import dev.plumb.backend.ProductProbes.Product;
import java.util.List;

/** The matrix products of a training step without the rest of it, on matrices of their own. */
public interface ProductSet {
  List<Product> products();

  /** All of them in the turns and tiles in which a step shares them among a team. */
  void runStepInTiles(ThreadTeam team);

  void runInTiles(Product product, ThreadTeam team);

  /** Each as one call of the GEMM. */
  void runStepWhole();

  void runWhole(Product product);
}
