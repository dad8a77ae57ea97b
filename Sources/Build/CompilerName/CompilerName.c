#include "CompilerName.h"
