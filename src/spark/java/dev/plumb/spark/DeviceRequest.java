package dev.plumb.spark;

import dev.plumb.Device;
import dev.plumb.backend.Planner;
import java.io.Serializable;

/**
 * The device that a task uses.
 *
 * @param kind cuda, cpu or reference
 */
record DeviceRequest(Device.Kind kind, boolean recordGraphs, Planner planner) implements Serializable {}
