// What is done when a process died in the middle of a change; and the proof that all is in order.
#pragma once

#include "session/session_table.h"
#include "session/table_layout.h"

namespace sallyport::session {

// Makes an empty arena and empty tables. The mutex is held (or nobody else uses the block).
void make_empty(const Block& block) noexcept;

// Walks the arena and makes all tables and lists anew from the whole sessions and marks in it. The
// order of use becomes approximate. If the walk leads nowhere, the block is emptied. The mutex is
// held; readers may be at work.
Recovery recover(const Block& block) noexcept;

// Null when every invariant holds, else the name of one that does not. The mutex is held.
const char* check_block(const Block& block) noexcept;

}  // namespace sallyport::session
