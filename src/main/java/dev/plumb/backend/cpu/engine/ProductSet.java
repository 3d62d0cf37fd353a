package dev.plumb.backend.cpu.engine;

import dev.plumb.backend.ProductProbes.Product;
import java.util.List;

/** The matrix products of a training step, on matrices of their own. */
public interface ProductSet {
  /** Returns the products in the order of a step. */
  List<Product> products();

  /** Runs all products in the order and the tiles in which a step distributes them over threads. */
  void runStepInTiles(ThreadTeam team);

  /** Runs one product in the tiles of a step. */
  void runInTiles(Product product, ThreadTeam team);

  /** Runs all products, each as one call of the GEMM. */
  void runStepWhole();

  /** Runs one product as one call of the GEMM. */
  void runWhole(Product product);
}
