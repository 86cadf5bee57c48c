// Boost.JSON, compiled once here for whoever links this room.
#include <boost/json/src.hpp>
