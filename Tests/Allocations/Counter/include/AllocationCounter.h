#pragma once

/// How often this process has asked for memory on the heap: malloc and all its kin, on every thread, for Swift's objects
/// too. This target defines those functions, and whoever links it has them count.
long allocation_count(void);
