// Pins vegeta and everything that it is compiled from. There is no Go source here: `npm run bench` compiles its command from this module.
module aftershock/bench/vegeta

go 1.22

require github.com/tsenart/vegeta/v12 v12.13.0

