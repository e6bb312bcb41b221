#include "base/heap.h"

#include <malloc.h>

/* sanitizer/allocator_interface.h, of compiler-rt; not there without a sanitizer. */
size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

size_t
heap_in_use(void)
{
    if (__sanitizer_get_current_allocated_bytes)
        return __sanitizer_get_current_allocated_bytes();
    struct mallinfo2 m = mallinfo2();
    return m.uordblks + m.hblkhd;
}
