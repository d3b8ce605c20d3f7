mod basics;
mod crash;
mod world;
