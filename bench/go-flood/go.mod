// Opens connections from Go, as a yardstick for our own generator. Needs nothing but the standard library.
module aftershock/bench/go-flood

go 1.22
