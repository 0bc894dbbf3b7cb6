<?php

/**
 * PHP's built-in server finds no PATH_INFO behind a script whose path info holds dots
 * (/module.php/core/loginuserpass.php): split the two here.
 */

$path = rawurldecode(parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH));
$root = $_SERVER['DOCUMENT_ROOT'];

if ($path === '/') {
    $path = '/index.php';
}
if (!preg_match('#^(/[^.]*\.php)(/.*)?$#', $path, $parts) || !is_file($root . $parts[1])) {
    return false;
}

$_SERVER['SCRIPT_NAME'] = $_SERVER['PHP_SELF'] = $parts[1];
$_SERVER['SCRIPT_FILENAME'] = $root . $parts[1];
unset($_SERVER['PATH_INFO']);
if (isset($parts[2])) {
    $_SERVER['PATH_INFO'] = $parts[2];
    $_SERVER['PHP_SELF'] .= $parts[2];
}
chdir(dirname($_SERVER['SCRIPT_FILENAME']));
require $_SERVER['SCRIPT_FILENAME'];
