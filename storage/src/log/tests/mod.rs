mod basics;
mod crash;
mod cut;
mod damage;
mod segments;
mod world;
