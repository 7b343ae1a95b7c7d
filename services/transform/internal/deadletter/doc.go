// Package deadletter shows what jobs have set aside, and replays or discards it.
//
// Letters stay where they were written, in the topic weirflow.deadletters.<job>.
// What becomes of them is noted in the same partition behind them, so it can never
// expire before they do. A keeper reads these topics and holds a short note of each
// letter in memory; the letters themselves are read when someone asks for them.
package deadletter
