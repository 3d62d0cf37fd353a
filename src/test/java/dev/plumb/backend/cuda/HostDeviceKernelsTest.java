package dev.plumb.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.backend.cuda.HostDevice.Order;
import jcuda.driver.CUdeviceptr;
import org.junit.jupiter.api.Test;

/** Kernels that are wrong are found by the host device, in whatever order their threads run. */
class HostDeviceKernelsTest extends HostDeviceFixture {
  @Test
  void aMissingBarrierShowsAsNaN() {
    for (Order order : Order.values()) {
      HostDevice.order(order, 1);
      CUdeviceptr out = allocate(256);
      launch("missing_barrier_f32", 1, 64, upload(new float[64]), out);
      synchronize();
      int poisoned = 0;
      for (float value : read(out, 64)) {
        poisoned += Float.isNaN(value) ? 1 : 0;
      }
      assertTrue(poisoned > 10, order + ": " + poisoned + " of 64");
    }
  }

  @Test
  void threadsRunForwardsOrInReverse() {
    for (Order order : new Order[] {Order.FORWARD, Order.REVERSE}) {
      HostDevice.order(order, 0);
      CUdeviceptr out = allocate(256);
      launch("missing_barrier_f32", 1, 64, upload(new float[64]), out);
      synchronize();
      float[] found = read(out, 64);
      assertEquals(order == Order.FORWARD, Float.isNaN(found[0]), order.toString());
      assertEquals(order == Order.REVERSE, Float.isNaN(found[63]), order.toString());
    }
  }

  @Test
  void aNeedForAnOrderOfBlocksShowsInReverseAndAtRandom() {
    for (Order order : Order.values()) {
      HostDevice.order(order, 0);
      CUdeviceptr out = allocate(4 * 16);
      launch("order_of_blocks_f32", 16, 1, out);
      synchronize();
      assertEquals(order != Order.FORWARD, Float.isNaN(read(out, 16)[15]), order.toString());
    }
  }

  @Test
  void aDivergentBarrierIsALaunchFailure() {
    launch("divergent_barrier_f32", 1, 64, allocate(256));
    fails("LAUNCH_FAILED", "divergent __syncthreads", this::synchronize);
  }

  @Test
  void waitingAtTwoBarriersIsALaunchFailure() {
    launch("two_barriers_f32", 1, 64, allocate(256));
    fails("LAUNCH_FAILED", "different __syncthreads", this::synchronize);
  }

  @Test
  void aShuffleThatLanesNeverReachIsALaunchFailure() {
    launch("missing_lanes_f32", 1, 64, allocate(256));
    fails("LAUNCH_FAILED", "lanes that never come", this::synchronize);
  }

  @Test
  void oneElementPastTheEndIsFound() {
    launch("off_by_one_f32", 1, 128, allocate(400), 100);
    fails("ILLEGAL_ADDRESS", "wrote past the end of allocation", this::synchronize);
  }

  @Test
  void oneElementPastAWholePageIsFound() {
    launch("off_by_one_f32", 5, 256, allocate(4096), 1024);
    fails("ILLEGAL_ADDRESS", "access at byte offset 4096", this::synchronize);
  }

  @Test
  void oneElementBeforeTheStartIsFound() {
    launch("before_start_f32", 1, 1, allocate(400));
    fails("ILLEGAL_ADDRESS", "wrote before the start", this::synchronize);
  }

  @Test
  void aWildWriteIsFoundAndSticks() {
    launch("wild_f32", 1, 1, allocate(400));
    fails("ILLEGAL_ADDRESS", "access at byte offset 4194304", this::synchronize);
    fails("ILLEGAL_ADDRESS", "", () -> allocate(4));
  }
}
